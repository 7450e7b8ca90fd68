"""The user's AWS profiles: how one signs in, which file is broken, and what to type. Pure.

A profile may take its credentials from another one (`source_profile`), so the profile that signs in
is at the end of that chain (AWS SDKs and Tools Reference Guide, "Assume role credential provider").
"""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A profile's settings by their names. Nested ones are mappings.
Profile = Mapping[str, Any]

# The variables that replace a profile (AWS SDKs and Tools Reference Guide, "Environment variables").
KEYS_VARIABLE = "AWS_ACCESS_KEY_ID"
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
DEFAULT = "default"

# The settings with which credentials come from a program, or from a token in a file.
OUTSIDE = ("credential_process", "login_session", "sso_session", "sso_start_url")


@dataclass(frozen=True)
class SignIn:
    """The profiles and the variables of a user, as far as they decide how to sign in."""

    profiles: Mapping[str, Profile]
    environment: Mapping[str, str]

    @property
    def has_keys(self) -> bool:
        """Whether keys in the environment come before the profile: no variable names a profile."""
        return KEYS_VARIABLE in self.environment

    @property
    def selected(self) -> str:
        """The profile that botocore uses; AWS_DEFAULT_PROFILE comes first there."""
        for variable in PROFILE_VARIABLES:
            if self.environment.get(variable):
                return self.environment[variable]
        return DEFAULT

    def chain(self) -> list[str]:
        """Return the selected profile and those that it takes its credentials from, in order."""
        names: list[str] = []
        name = self.selected
        while name and name not in names:
            names.append(name)
            name = self.profiles.get(name, {}).get("source_profile", "")
        return names

    @property
    def wants_mfa_code(self) -> bool:
        """Whether the role of a profile in use asks for the code of an MFA device."""
        return any("mfa_serial" in self.profiles.get(name, {}) for name in self.chain())

    @property
    def has_program_or_token(self) -> bool:
        """Whether a program or a file outside the profile gives the credentials."""
        if self.has_keys:
            return False
        profile = self.profiles.get(self.chain()[-1], {})
        return any(setting in profile for setting in OUTSIDE)

    def command(self) -> str:
        """Return what to type to sign in, empty when the profile does not tell."""
        if self.has_keys:
            return (
                f"the keys are those of {KEYS_VARIABLE}: replace them with new ones, or unset them"
                " to use a profile"
            )
        name = self.chain()[-1]
        profile = self.profiles.get(name, {})
        if "sso_session" in profile or "sso_start_url" in profile:
            return f"sign in: aws sso login --profile {name}"
        if "login_session" in profile:
            return f"sign in: aws login --profile {name}"
        if "credential_process" in profile:
            return (
                f"the credential_process of profile {name} gives the credentials; see what it says:"
                f" {profile['credential_process']}"
            )
        if "aws_access_key_id" in profile:
            return f"the keys are those of profile {name}; to replace them: aws configure --profile {name}"
        return ""


def describe_parse_error(error: object) -> str:
    """Return the place of a fault in a configuration file, without the line, which may be a secret.

    `error` is what Python's configparser raised, or the error of decoding the file.
    """
    match error:
        case configparser.MissingSectionHeaderError(lineno=line):
            return f"line {line} stands before the first [section], or a section is not closed"
        case configparser.DuplicateSectionError(lineno=line, section=section):
            return f"line {line} begins [{section}] again"
        case configparser.DuplicateOptionError(lineno=line, section=section, option=option):
            return f"line {line} sets {option} of [{section}] again"
        case configparser.ParsingError(errors=[(line, _), *_]):
            return f"line {line} is neither a [section] nor NAME = VALUE"
        case UnicodeDecodeError():
            return "it is not UTF-8 text"
    return "a nested setting is not NAME = VALUE"
