"""From raw resources to locations, jobs and source lines."""
