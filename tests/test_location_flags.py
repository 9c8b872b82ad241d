"""The script that holds the location tables against a provider's source."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from check_location_flags import field, schemas

SOURCE = '''package made

func ResourceThing() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"note": {Type: schema.TypeString, Optional: true, Description: `ends with
}
and goes on`},
			"location": {Type: schema.TypeString, Optional: true, Default: "global"},
			"copies": {
				Type: schema.TypeList, Optional: true,
				Elem: &schema.Resource{Schema: map[string]*schema.Schema{
					"region": {Type: schema.TypeString, Optional: true, Computed: true},
				}},
			},
		},
	}
}

func init() {
	tfresource.RegisterResource("cloud_thing", ResourceThing())
}
'''


def test_arguments_are_found_by_the_paths_of_the_location_table(tmp_path: Path) -> None:
    (tmp_path / "thing.go").write_text(SOURCE, encoding="utf-8")
    schema = schemas([str(tmp_path)])["cloud_thing"]
    assert field(schema, "location") == {"Type": "schema.TypeString", "Optional": True, "Default": "global"}
    assert (field(schema, "copies[].region") or {})["Computed"] is True
    assert field(schema, "copies[].zone") is None
    assert field(schema, "location.inner") is None
