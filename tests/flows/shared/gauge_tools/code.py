"""The part that each version has anew."""

VERSION = "1.0.0"
