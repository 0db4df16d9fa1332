"""The services that `make run` starts under one supervisor: broker, web server, worker, sweeper."""
