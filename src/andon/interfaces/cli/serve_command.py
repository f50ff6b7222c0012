"""`andon serve`: one process that records, seals and hands out."""

from andon.bootstrap.house import House
from andon.bootstrap.serve import serve
from andon.bootstrap.settings import Settings, data_folder, database_of, limits_of_files, parse_listen
from andon.interfaces.cli import output

FIRST = """\
This is the first start. The administrator's token, shown this once:

  {secret}

  export ANDON_SERVER={url} ANDON_TOKEN={secret}

Prometheus, in prometheus.yml (`andon show rules --url {url} > andon-rules.yml` writes the rules):

  scrape_configs:
    - job_name: andon
      scrape_interval: 15s
      static_configs: [{{targets: ["{host}"]}}]
  rule_files: [andon-rules.yml]

Alertmanager, in alertmanager.yml (this token may only bring signals; it is shown this once too):

  route: {{receiver: andon, group_by: [alertname, model_id], group_wait: 10s, group_interval: 1m, repeat_interval: 4h}}
  receivers:
    - name: andon
      webhook_configs:
        - url: {url}/api/v1/signals/alertmanager
          send_resolved: true
          http_config: {{authorization: {{credentials: {signaller}}}}}

"""


def run(data: str | None, listen: str, database: str | None) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    host, port = parse_listen(listen)
    folder = data_folder(data)
    serve(Settings(folder, host, port, database_of(folder, database), limits_of_files()), _say)


def _say(house: House) -> None:
    settings = house.settings
    host = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
    url = f"http://{host}"
    if house.first is not None:
        signaller = house.first_signaller.secret if house.first_signaller is not None else "TOKEN"
        output.emit(FIRST.format(secret=house.first.secret, url=url, host=host, signaller=signaller))
        house.first = house.first_signaller = None
    output.emit(f"andon serves {settings.data} at {url}; Ctrl-C ends it\n")
