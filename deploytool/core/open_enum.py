"""Enumerations of AWS, which may grow: a value that is not known here ends no command. Pure."""

from enum import StrEnum
from typing import Self


class OpenStrEnum(StrEnum):
    """A StrEnum that also takes other texts.

    A text that is no member becomes a value with that text as its name. It is equal to the same
    text, and to no member. AWS adds values to its enumerations without a new API version (AWS SDKs
    and Tools Reference Guide; botocore does not check the values of an answer either).
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether the value is a member."""
        return self.name in type(self).__members__
