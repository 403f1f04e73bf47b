"""The client of Temporal: its address from `TEMPORAL_*`, payloads as pydantic models, everything encrypted."""

import dataclasses

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from domain.errors import SettingError
from store.keyring import Keyring
from temporal.codec import Codec


def data_converter(keyring: Keyring) -> DataConverter:
    """Return the converter of every client, worker and replayer; failure messages are encoded too."""
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=Codec(keyring.codec),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(keyring: Keyring, *, lazy: bool = False) -> Client:
    """Connect to Temporal; a lazy client connects with its first call, so that the API starts without Temporal.

    Raises:
        SettingError: where nothing says where Temporal is.
    """
    config = connect_config()
    return await Client.connect(**config, data_converter=data_converter(keyring), lazy=lazy)


def connect_config() -> ClientConnectConfig:
    """Return where Temporal is, by its own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS and keys).

    Raises:
        SettingError: where nothing says where it is, or the variables contradict one another.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise SettingError(f"TEMPORAL_*: {error}") from error
    if "target_host" not in config:
        raise SettingError("TEMPORAL_ADDRESS: is needed and not set; it is host:port of Temporal's front end")
    return config
