"""What a location value means: text -> places, for one cloud and resource type."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from auditor.facts import Cloud, Facts, LocationSpec, Reading
from auditor.model import Place

ANY: Final = "*"  # the country of a place that may be anywhere


class Reader:
    """Reads values of one resource type's location attributes."""

    def __init__(self, cloud: Cloud, facts: Facts, resource_type: str, reading: Reading) -> None:
        self.cloud = cloud
        self.facts = facts
        self.reading = reading
        self._lookup = cloud.reading.lookup_by_type.get(resource_type, "default")

    @cached_property
    def _profile(self) -> re.Pattern[str] | None:
        return re.compile(self.cloud.profile_pattern) if self.cloud.profile_pattern else None

    def place(self, value: str, spec: LocationSpec | None = None) -> tuple[tuple[Place, ...], bool] | None:
        """The places a value names and whether they are all; None where the catalogue does not know it."""
        cloud = self.cloud
        lookup = self._lookup
        if spec is not None:
            lookup = spec.lookup or lookup
            if spec.cloud and spec.cloud != cloud.id:
                other = self.facts.cloud(spec.cloud)
                if other is None:
                    return None
                cloud, lookup = other, spec.lookup or "default"
        found = cloud.find(value, lookup)
        if found is None:
            if value.lower() == "global":
                return (Place(cloud.id, "global", ANY),), True
            if inner := cloud.region_in_id(value):
                found = cloud.find(inner, lookup)
            if found is None:
                return None
        region_id, region = found
        if region_id.lower() == "global":
            return (Place(cloud.id, region_id, ANY),), True
        return cloud.places(region_id, region)

    def profile_prefix(self, value: str) -> str | None:
        """The geographic prefix of a model or profile id; "" for a plain model; None where it cannot be told."""
        if self._profile is None:
            return None
        match = self._profile.search(value)
        if match is None:
            return None
        return match.groupdict().get("prefix") or ""
