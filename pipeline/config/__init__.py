"""Configuration: the settings' schema, loading from TOML and the environment, paths, reference data."""
