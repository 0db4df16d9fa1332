"""The services that `make run` starts by itself: broker, web server, worker, sweeper, under one supervisor."""
