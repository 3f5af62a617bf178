"""``festaf demo``: everything on one machine, until Ctrl-C."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.callback(invoke_without_command=True)
def demo(
    *,
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the answer instead of waiting for Ctrl-C.")] = False,
    folder: Annotated[Path, typer.Option(help="Where everything is kept; emptied at the start.")] = Path(".demo"),
    dags: Annotated[Path, typer.Option(help="The folder with festaf's example DAGs.")] = Path("dags"),
    airflow_port: Annotated[int, typer.Option(help="Port of Airflow's pages and API.")] = 8080,
    registry_port: Annotated[int, typer.Option(help="Port of the registry.")] = 8750,
    local_aws_port: Annotated[int, typer.Option(help="Port of the local AWS.")] = 5601,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer and the row counts as JSON.")] = False,
) -> None:
    """Run real DAGs on real flights with a local AWS, and ask where a feature comes from."""
    from rich.console import Console

    from festaf.provider.cli import answer
    from festaf.provider.demo.cluster import Cluster
    from festaf.provider.demo.display import Display
    from festaf.provider.demo.errors import DemoError
    from festaf.provider.demo.place import Place, Ports
    from festaf.provider.demo.story import Story, check_place, fresh_folder, stop_on_signals

    place = Place(folder.resolve(), dags.resolve(), Ports(airflow_port, registry_port, local_aws_port))
    display = Display(Console(highlight=False, stderr=as_json))
    try:
        check_place(place)
        with stop_on_signals(), fresh_folder(place), Cluster(place) as cluster:
            cluster.start(display.say)
            story = Story(cluster, display)
            feature, figures, served = story.run()
            display.figures(figures)
            display.served(served)
            if as_json:
                rows = [asdict(row) for row in figures]
                told = {"feature": feature.model_dump(mode="json"), "rows": rows, "served": asdict(served)}
                typer.echo(json.dumps(told | {"addresses": dict(story.addresses())}))
            else:
                display.headline(f"Where does {feature.feature_set}/{feature.name} come from?")
                answer.show(answer.feature_tree(feature))
            display.addresses(story.addresses())
            if not leave:
                display.say("Press Ctrl-C to stop")
                cluster.watch()
            display.say("Stopping")
    except KeyboardInterrupt:
        display.say("Stopped")
    except DemoError as error:
        typer.echo(f"festaf demo: {error}", err=True)
        raise typer.Exit(1) from None
