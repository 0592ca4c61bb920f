"""The service: scans by HTTP, jobs in a database, judged by workers that may die."""
