# SPDX-License-Identifier: Apache-2.0
"""Adds up JUnit files: prints the failures and "N passed, N failed[, N
skipped]". Exits 1 on a failure, on a missing file and when nothing ran."""
import sys
import xml.etree.ElementTree as ElementTree

passed, failed, skipped = 0, [], 0
for path in sys.argv[1:]:
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        failed.append(f"{path}: {error}")
        continue
    for case in cases:
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        # ctest marks failures by status, all of them by a child element.
        if case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        else:
            passed += 1
for name in failed:
    print(f"failed: {name}")
line = f"{passed} passed, {len(failed)} failed"
print(line + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or passed == 0 else 0)
