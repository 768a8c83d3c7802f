"""Mappings from vendor records to native columns, one YAML file a vendor; read by `schemas.mapping`."""
