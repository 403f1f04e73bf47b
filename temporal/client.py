"""The client of Temporal: its address from `TEMPORAL_*`, payloads as pydantic models, everything encrypted."""

import dataclasses
from pathlib import Path

from temporalio.client import Client, Plugin
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime

from domain.errors import SettingError
from store.keyring import Keyring
from temporal.api_key import SETTING, read_api_key
from temporal.away import NotConnectedError, explain
from temporal.codec import Codec
from temporal.following import FollowingCases
from temporal.traces import are_recorded


def data_converter(keyring: Keyring) -> DataConverter:
    """Return the converter of every client, worker and replayer; failure messages are encoded too."""
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=Codec(keyring.codec),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def plugins() -> list[Plugin]:
    """Return what every client is given: traces go through it and its workers, and their lines follow a case.

    The spans of the SDK itself are left out: that of a run would be held for the months that a case lasts.
    """
    following = SimplePlugin("FollowingCases", interceptors=[FollowingCases()])
    return [OpenTelemetryPlugin(), following] if are_recorded() else [following]


async def connect(
    keyring: Keyring, *, api_key_file: Path | None = None, lazy: bool = False, runtime: Runtime | None = None
) -> Client:
    """Connect to Temporal; a lazy client connects with its first call, so that the API starts without Temporal.

    Args:
        keyring: what payloads are sealed with.
        api_key_file: where the API key is, if Temporal asks for one that may change (`temporal.api_key`).
        lazy: whether to connect with the first call.
        runtime: the process's own (`temporal.runtime`); commands that end at once take the SDK's default.

    Raises:
        SettingError: where nothing says where Temporal is.
        NotConnectedError: where it is away or does not let us in, in words.
    """
    config = connect_config(api_key_file)
    try:
        return await Client.connect(
            **config, data_converter=data_converter(keyring), plugins=plugins(), lazy=lazy, runtime=runtime
        )
    except RuntimeError as error:
        raise NotConnectedError(explain(error)) from error


def connect_config(api_key_file: Path | None = None) -> ClientConnectConfig:
    """Return where Temporal is, by its own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS and keys).

    Raises:
        SettingError: where nothing says where it is, the variables contradict one another, or the API key cannot be
            read.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise SettingError(f"TEMPORAL_*: {error}") from error
    if "target_host" not in config:
        raise SettingError("TEMPORAL_ADDRESS: is needed and not set; it is host:port of Temporal's front end")
    if api_key_file is not None:
        if "api_key" in config:
            raise SettingError(f"TEMPORAL_API_KEY: leave it out where {SETTING} is set, which is read again")
        config["api_key"] = read_api_key(api_key_file)
        config.setdefault("tls", True)  # as with TEMPORAL_API_KEY: a key is never shown in clear unless told so
    return config
