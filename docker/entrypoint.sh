#!/bin/sh
# One image, four roles: web, worker, sweep, migrate. Any other argument is run as a command.
set -eu
cd "$(dirname "$0")/.."

role=${1:-web}
if [ $# -gt 0 ]; then shift; fi

case $role in
    migrate)
        exec python manage.py migrate --no-input "$@"
        ;;
    web)
        exec python -m uvicorn nasweb.asgi:application --host "${NASWEB_HOST:-0.0.0.0}" --port "${NASWEB_PORT:-8000}" \
            --lifespan off --log-level info --no-access-log --timeout-graceful-shutdown 5 --proxy-headers "$@"
        ;;
    worker)
        # One thread per process, because the processes share the cores.
        export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 NASWEB_TORCH_THREADS=1
        exec python -m celery -A nasweb worker --queues advance,score,train --concurrency "${NASWEB_WORKERS:-$(nproc)}" \
            --loglevel INFO --without-gossip --without-mingle "$@"
        ;;
    sweep)
        exec python manage.py sweep "$@"
        ;;
    *)
        exec "$role" "$@"
        ;;
esac
