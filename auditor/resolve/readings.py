"""What a location value means: text -> places, for one cloud and resource type."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
                return self._abroad(spec.cloud, cloud.spelled(value, lookup))
        found = cloud.find(value, lookup)
        if found is None:
            for prefix, other in self.reading.elsewhere.items():
                if value.startswith(prefix) and (there := self._abroad(other, [value.removeprefix(prefix)])) is not None:
                    return there
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

    def _abroad(self, cloud_id: str, texts: Sequence[str]) -> tuple[tuple[Place, ...], bool] | None:
        """The places of another cloud that one of the texts names."""
        cloud = self.facts.cloud(cloud_id)
        found = next((f for text in texts if (f := cloud.find(text)) is not None), None) if cloud is not None else None
        return cloud.places(*found) if cloud is not None and found is not None else None

    def profile_prefix(self, value: str) -> str | None:
        """The geographic prefix of a model or profile id; "" for a plain model; None where it cannot be told."""
        if self._profile is None:
            return None
        match = self._profile.search(value)
        if match is None:
            return None
        return match.groupdict().get("prefix") or ""
