"""The busiest routes of the shop in other frameworks, on the same PostgreSQL and Redis."""
