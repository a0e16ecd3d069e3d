"""Work on recorded or planned data, without a proxy: analyze, replay, rehearse, plan."""
