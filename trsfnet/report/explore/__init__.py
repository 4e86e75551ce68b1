"""Exploring what runs learned: in Jupyter over any runs, in the book over those that it carries.

`catalogue` says which runs there are and how they are picked, `shown` what is seen of one. From these,
`drawing` and `widgets` make the explorer for Jupyter. `page` makes the book's, which the scripts in
`book/_static/explore/` draw in the browser. `verification` and `verification_widgets` verify two images with
a run's network.
"""
