"""The benchmark: ``python -m bench``. Everything is measured side by side in one run.

Start reading at `__main__`. `measure` takes turns between competitors and compares medians;
`triggers`, `ahead`, `sending`, `starting` and `verifying` are the sections; `report` shows them.
"""
