"""`andon serve`: one process that records, seals and hands out."""

from andon.bootstrap.house import House
from andon.bootstrap.serve import serve
from andon.bootstrap.settings import Settings, data_folder, database_of, parse_listen
from andon.interfaces.cli import output

FIRST = """\
This is the first start. The administrator's token, shown this once:

  {secret}

  export ANDON_SERVER={url} ANDON_TOKEN={secret}

Prometheus, in prometheus.yml:

  scrape_configs:
    - job_name: andon
      static_configs: [{{targets: ["{host}"]}}]

"""


def run(data: str | None, listen: str, database: str | None) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    host, port = parse_listen(listen)
    folder = data_folder(data)
    serve(Settings(folder, host, port, database_of(folder, database)), _say)


def _say(house: House) -> None:
    settings = house.settings
    host = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
    url = f"http://{host}"
    if house.first is not None:
        output.emit(FIRST.format(secret=house.first.secret, url=url, host=host))
        house.first = None
    output.emit(f"andon serves {settings.data} at {url}; Ctrl-C ends it\n")
