"""The watched folder under test: a service, clients, hostile files, invariants."""
