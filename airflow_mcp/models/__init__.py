"""What tools take and what they give, as pydantic models: the JSON schemas come from here."""
