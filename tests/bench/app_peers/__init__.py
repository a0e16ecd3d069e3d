"""The shop's busiest routes as others would write them, on the same PostgreSQL and Redis."""
