"""What speed costs and where it goes: ratios measured side by side, in one run, on one machine."""
