from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    mongodb_url: str = "mongodb://localhost:27017"
    mongodb_db: str = "walkthroughs"
    upload_dir: str = "uploads"
    max_upload_mb: int = 25


settings = Settings()
