"""Work without a proxy: analyze, replay, rehearse, plan."""
