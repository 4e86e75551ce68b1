"""The explorer of learned values: in Jupyter for any runs, in the book for the runs that it contains.

`catalogue` lists the runs and defines how to select them, `shown` defines what is displayed of a run, and
`charts` specifies the charts. `widgets` is the explorer for Jupyter and `page` the one in the book; the
scripts in the folder `browser` draw both, and `drawing` makes the static figure. `verification` and
`verification_widgets` verify two images with a run's network.
"""
