"""Settings: one frozen dataclass read from the environment, each field with an embedded default."""

from dataclasses import dataclass
from pathlib import Path

from environs import Env

from app.core.crypto import SecretKey

PREFIX = "WORKSPACE_"
INSECURE_KEY = "development-only-key-do-not-use-in-production"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an installation may decide; ``docs/settings.md`` has a line for each field."""

    environment: str
    data_dir: Path
    database_url: str
    database_app_url: str
    database_worker_url: str
    database_role_prefix: str
    database_pool_size: int
    redis_url: str
    secret_key: str
    #: Keys that were in use before, by commas; what they sealed still opens.
    former_secret_keys: str
    public_url: str
    access_token_seconds: int
    refresh_token_days: int
    refresh_grace_seconds: int
    body_bytes_max: int
    request_seconds_max: int
    event_log_days: int
    gateway_poll_seconds: float
    push_wait_seconds: int
    fcm_endpoint: str
    fcm_project: str
    fcm_credentials_file: str
    rail_endpoint: str
    erp_poll_seconds: int
    erp_hosts: str
    login_limit: str
    person_limit: str
    log_level: str
    #: Whether a gate in Redis turns latecomers of red packets away before they reach the database.
    gate: bool

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


def load_settings(**overrides: object) -> Settings:
    """Read the environment; refuse to start in production without a secret of one's own."""
    found = _from_environment() | overrides
    former = str(found["former_secret_keys"]).split(",")
    found["secret_key"] = SecretKey(str(found["secret_key"]), map(str.strip, former))
    settings = Settings(**found)  # type: ignore[arg-type]
    if settings.is_production and settings.secret_key == INSECURE_KEY:
        raise SystemExit("WORKSPACE_SECRET_KEY must be set in production.")
    return settings


def _from_environment() -> dict[str, object]:
    env = Env()
    shared = {
        "database_url": env.str("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/workspace"),
        "redis_url": env.str("REDIS_URL", "redis://127.0.0.1:6379/0"),
        "database_app_url": env.str("DATABASE_APP_URL", ""),
        "database_worker_url": env.str("DATABASE_WORKER_URL", ""),
    }
    with env.prefixed(PREFIX):
        return shared | {
            "environment": env.str("ENV", "development"),
            "data_dir": Path(env.str("DATA_DIR", "var")),
            "database_role_prefix": env.str("DATABASE_ROLE_PREFIX", ""),
            "database_pool_size": env.int("DATABASE_POOL_SIZE", 10),
            "secret_key": env.str("SECRET_KEY", INSECURE_KEY),
            "former_secret_keys": env.str("FORMER_SECRET_KEYS", ""),
            "public_url": env.str("PUBLIC_URL", "http://127.0.0.1:8000"),
            "access_token_seconds": env.int("ACCESS_TOKEN_SECONDS", 900),
            "refresh_token_days": env.int("REFRESH_TOKEN_DAYS", 30),
            "refresh_grace_seconds": env.int("REFRESH_GRACE_SECONDS", 30),
            "body_bytes_max": env.int("BODY_BYTES_MAX", 512 * 1024),
            "request_seconds_max": env.int("REQUEST_SECONDS_MAX", 5),
            "event_log_days": env.int("EVENT_LOG_DAYS", 14),
            "gateway_poll_seconds": env.float("GATEWAY_POLL_SECONDS", 1.0),
            "push_wait_seconds": env.int("PUSH_WAIT_SECONDS", 10),
            "fcm_endpoint": env.str("FCM_ENDPOINT", ""),
            "fcm_project": env.str("FCM_PROJECT", "workspace-demo"),
            "fcm_credentials_file": env.str("FCM_CREDENTIALS_FILE", ""),
            "rail_endpoint": env.str("RAIL_ENDPOINT", ""),
            "erp_poll_seconds": env.int("ERP_POLL_SECONDS", 2),
            "erp_hosts": env.str("ERP_HOSTS", ""),
            "login_limit": env.str("LOGIN_LIMIT", "5 per minute"),
            "person_limit": env.str("PERSON_LIMIT", "600 per minute"),
            "log_level": env.str("LOG_LEVEL", "INFO"),
            "gate": env.bool("GATE", True),
        }
