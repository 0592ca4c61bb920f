"""A typed client of the service, in a blocking and an asynchronous form."""
