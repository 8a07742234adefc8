"""Finishes an environment: writes the links to packages of the repository, and last the record.

Runs in the environment's own Python (3.9 and newer), which has nothing of the gate's to import.
"""

import json
import sys
import sysconfig
from pathlib import Path


def main(order_text: str) -> None:
    """Carry out the order, a JSON object."""
    order = json.loads(order_text)
    site_packages = Path(sysconfig.get_paths()["purelib"])
    import_roots = {}
    for package in order["packages"]:
        import_roots.update(dict.fromkeys(package["import_roots"]))
        write_metadata(site_packages, package)
    link_file = site_packages / "migration-gate-project.pth"
    link_file.write_text("\n".join(import_roots) + "\n", encoding="utf-8")
    record_file = Path(sys.prefix, order["record_file"])
    unfinished = record_file.with_suffix(".new")
    unfinished.write_text(json.dumps(order["record"]), encoding="utf-8")
    unfinished.replace(record_file)


def write_metadata(site_packages: Path, package: dict[str, str]) -> None:
    """Write the metadata of one package, where no installed package has its name."""
    prefix = package["name"].replace("-", "_") + "-"
    for installed in site_packages.glob("*.dist-info"):
        if installed.name.lower().startswith(prefix):
            return
    files = {
        "METADATA": "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".format(**package),
        "INSTALLER": "migration-gate\n",
        "entry_points.txt": package["entry_points"],
        "RECORD": "",
    }
    folder = site_packages / (prefix + package["version"] + ".dist-info")
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


main(sys.argv[1])
