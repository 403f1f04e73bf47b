"""Settings of every process, read once from `HETAO_*` by cli, worker and api and handed down."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_ADDRESS_WITH_PORT = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@]+):[0-9]{1,5}$"
_DATABASE_URL = r"^postgresql(\+asyncpg)?://"
_WEB_URL = r"^https?://[^\s]+$"


def _split(value: Any) -> Any:
    """Turn a comma-separated environment value into a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _network(value: str) -> str:
    """Return a network in its one spelling; one that holds every address would believe everybody."""
    network = ip_network(value)
    if network.prefixlen == 0:
        raise ValueError("Name the proxies themselves: whatever a proxy says of a caller is believed.")
    return str(network)


def _origin(value: str) -> str:
    """Return an address without its last slash; pages, links and cookies are made for a host of their own."""
    parts = urlsplit(value)
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("Give the address of a host alone, as in https://permits.example: no path in front is served.")
    return f"{parts.scheme}://{parts.netloc}"


SecretList = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split)]
StrList = Annotated[list[str], NoDecode, BeforeValidator(_split)]
HostPort = Annotated[str, Field(pattern=_ADDRESS_WITH_PORT)]
HostPortList = Annotated[list[HostPort], NoDecode, BeforeValidator(_split)]
NetworkList = Annotated[list[Annotated[str, AfterValidator(_network)]], NoDecode, BeforeValidator(_split)]
WebUrl = Annotated[str, Field(pattern=_WEB_URL)]
Origin = Annotated[WebUrl, AfterValidator(_origin)]
DatabaseUrl = Annotated[str, Field(pattern=_DATABASE_URL)]
ClaimName = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
QueueList = Annotated[list[Literal["registration", "notices"]], NoDecode, BeforeValidator(_split)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """What a process must know of its surroundings; Temporal itself is found by `TEMPORAL_*`."""

    model_config = SettingsConfigDict(env_prefix="HETAO_", frozen=True, extra="ignore", env_ignore_empty=True)

    env: Literal["production", "embedded", "test"] = Field(
        default="production", description="Kind of run; stand-ins refuse to start in production."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged.")

    database_url: DatabaseUrl = Field(description="PostgreSQL as the application role.")
    owner_database_url: DatabaseUrl | None = Field(
        default=None, description="PostgreSQL as the owner of the tables; for migrations only."
    )
    sealer_database_url: DatabaseUrl | None = Field(
        default=None, description="PostgreSQL as the sealer, the only role that adds to the seal; for the worker only."
    )
    backup_database_url: DatabaseUrl | None = Field(
        default=None, description="PostgreSQL as a role that may replicate; for `hetao backup` only."
    )
    keys_file: Path = Field(description="Key ring in JSON, readable by its owner only.")
    erasure_list: Path | None = Field(
        default=None,
        description="File that lists every erasure, on storage that no restore of the database touches;"
        " without it `erasures.jsonl` beside the key file.",
    )

    temporal_api_key_file: Path | None = Field(
        default=None,
        description="File with the API key that Temporal asks for, readable by its owner only; read again when it"
        " changes. `TEMPORAL_API_KEY` is for a key that never does.",
    )

    oidc_issuer: WebUrl = Field(description="Issuer of bearer tokens.")
    oidc_audience: str = Field(default="hetao-permits", min_length=1, description="Audience a token must name.")
    oidc_jwks_url: WebUrl = Field(description="Where the issuer publishes its keys.")
    oidc_document_kind_claim: ClaimName | None = Field(
        default=None,
        description="Claim in which the issuer asserts the kind of a person's document, only where it has seen the"
        " document; without one a person signs in by a link alone.",
    )
    oidc_document_number_claim: ClaimName | None = Field(
        default=None, description="Claim with the number of that document; set together with its kind."
    )
    oidc_document_place_claim: ClaimName = Field(
        default="document_place", description="Claim with the place that issued that document, needed for a passport."
    )

    oidc_client_id: str = Field(
        default="hetao-console", min_length=1, description="As what the console is known to the issuer."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="What proves that to the issuer; without one the console is a public client."
    )
    oidc_scope: str = Field(
        default="openid profile", pattern=r"^openid( [!-~]+)*$", description="Scopes that the console asks for."
    )

    public_url: Origin = Field(description="Address of the API as its callers see it, a host without a path.")
    sign_in_url: WebUrl | None = Field(
        default=None,
        description="Page to which the one-time links of persons lead; without one the page `/me` of the API itself.",
    )
    docs_url: WebUrl | None = Field(default=None, description="Address of the documentation that problems point to.")
    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: Port = Field(default=8080, description="Port the API listens on.")
    api_caller_a_minute: int = Field(default=6000, ge=1, description="Calls a minute that one caller may make.")
    api_tenant_a_minute: int = Field(default=12000, ge=1, description="Calls a minute that one employer may make.")
    api_at_once: int = Field(default=100, ge=1, description="Calls that one copy of the API serves at a time.")
    api_bodies_mib: int = Field(
        default=128, ge=32, description="Memory that one copy of the API gives to the bodies of calls, in MiB."
    )
    proxies: NetworkList = Field(
        default=[],
        description="Addresses or networks of the proxies before the API; only theirs `X-Forwarded-For` is believed.",
    )
    hsts_seconds: int = Field(
        default=31_536_000,
        ge=0,
        description="For how long browsers come by TLS only, told where `HETAO_PUBLIC_URL` is https; 0 tells nothing.",
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address on which metrics are served.")
    api_metrics_port: Port = Field(default=0, description="Port of the API's metrics; 0 turns it off.")
    worker_metrics_port: Port = Field(default=0, description="Port of the worker's metrics; 0 turns it off.")

    authority_url: WebUrl = Field(description="The exit-entry administration.")
    authority_token: SecretStr = Field(description="Bearer token shown to the exit-entry administration.")
    authority_traces: bool = Field(
        default=False,
        description="Whether calls to the exit-entry administration carry the header `traceparent`: random numbers,"
        " which name nobody.",
    )
    authority_callback_secrets: SecretList = Field(
        min_length=1, description="Standard Webhooks keys of its answers (`whsec_…` or `whpk_…`), several in rotation."
    )

    smtp_host: str = Field(description="Mail relay.")
    smtp_port: Port = Field(default=587, description="Port of the mail relay.")
    smtp_username: str | None = Field(default=None, description="Account at the mail relay.")
    smtp_password: SecretStr | None = Field(default=None, description="Password at the mail relay.")
    smtp_starttls: bool = Field(default=True, description="Whether the connection to the relay turns to TLS.")
    mail_from: str = Field(description="Sender of mail.")
    staff_mailbox: str | None = Field(
        default=None, description="Mailbox of the park's staff, for escalations; without one the inbox alone has them."
    )

    sms_url: WebUrl = Field(description="SMS gateway.")
    sms_token: SecretStr = Field(description="Bearer token shown to the SMS gateway.")
    receipts_secrets: SecretList = Field(
        min_length=1, description="Standard Webhooks keys of delivery receipts, several in rotation."
    )
    webhook_allowed: HostPortList = Field(
        default=[], description="Exact host:port pairs that webhooks may reach although their addresses are private."
    )

    parameters: str = Field(default="default", pattern=r"^[a-z0-9_-]+$", description="Pack of limits in force.")
    policy_dir: Path | None = Field(default=None, description="Rule packs beside those that ship with the code.")
    log_origin: str = Field(
        default="hetao-permits/ledger",
        pattern=r"^[!-*,-~]{1,200}$",
        description="Name of the log in checkpoints, one for each installation, such as `permits.example/ledger`.",
    )
    seal_overdue_seconds: int = Field(
        default=300, ge=10, description="Age from which a row that is not sealed yet is an incident."
    )
    witness_keys: StrList = Field(
        default=[], description="Verifier keys of the witnesses whose cosignatures are taken (`hetao witness keygen`)."
    )
    timestamp_url: WebUrl | None = Field(
        default=None, description="Time-stamping authority (RFC 3161) that stamps the newest checkpoint once a day."
    )

    worker_queues: QueueList = Field(
        default=["registration", "notices"],
        min_length=1,
        description="Task queues that this worker serves: `registration` (cases, calls to the authority, nights), which"
        " alone needs `HETAO_SEALER_DATABASE_URL`, and `notices`.",
    )
    worker_versions: bool | None = Field(
        default=None,
        description="Whether a case stays with the build of the worker that began its run; in production it does"
        " unless told otherwise.",
    )
    worker_deployment: str = Field(
        default="hetao-permits",
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="Name under which Temporal keeps the versions of the workers.",
    )
    worker_build_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="Version of this worker's workflow code; a hash of that code unless told.",
    )

    codec_token: SecretStr | None = Field(
        default=None,
        description="Path token by which the web UI of the embedded stack decodes payloads; refused in production.",
    )
    temporal_ui_origin: Origin | None = Field(
        default=None, description="Origin of Temporal's web UI, allowed to call the codec route."
    )

    poison_file: Path | None = Field(
        default=None,
        description="File of cases whose steps fail, to rehearse what an operator does then; refused in production.",
    )

    @property
    def are_workers_versioned(self) -> bool:
        """Whether workers say which build they are and get the cases of theirs alone."""
        return self.env == "production" if self.worker_versions is None else self.worker_versions

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        """Refuse settings that contradict one another."""
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("HETAO_SMTP_USERNAME and HETAO_SMTP_PASSWORD are set together or not at all.")
        if (self.oidc_document_kind_claim is None) != (self.oidc_document_number_claim is None):
            raise ValueError(
                "HETAO_OIDC_DOCUMENT_KIND_CLAIM and HETAO_OIDC_DOCUMENT_NUMBER_CLAIM are set together or not at all."
            )
        if self.codec_token is not None and self.temporal_ui_origin is None:
            raise ValueError("HETAO_CODEC_TOKEN needs HETAO_TEMPORAL_UI_ORIGIN, the only origin that may use it.")
        if self.env == "production" and self.codec_token is not None:
            raise ValueError("HETAO_CODEC_TOKEN is the embedded stack's: in production the web UI shows a token.")
        if self.env == "production" and self.poison_file is not None:
            raise ValueError("HETAO_POISON_FILE makes cases fail on purpose and is refused in production.")
        if self.env == "production" and self.webhook_allowed:
            raise ValueError("HETAO_WEBHOOK_ALLOWED opens private addresses and is refused in production.")
        return self
