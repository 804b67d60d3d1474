import subprocess
import sys

from suffice.testing.tasks import load


def test_a_few_hundred_tasks_with_their_licences():
    tasks = load()
    assert len(tasks) > 300
    assert {t.source for t in tasks} == {"humaneval", "mbpp", "exercism"}
    assert all(t.licence and t.files and t.command and t.prompt for t in tasks)
    assert len({t.prompt for t in tasks}) == len(tasks)


def test_references_pass_and_nothing_fails(tmp_path):
    for task in load()[::40]:
        folder = tmp_path / task.id.replace("/", "-")
        folder.mkdir()
        for name, text in task.files.items():
            (folder / name).write_text(text)
        answer = folder / task.answer_path
        for code, passes in ((task.reference, True), ("", False)):
            answer.write_text(code)
            command = [sys.executable, *task.command[1:]]
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=30, check=False)
            assert (done.returncode == 0) is passes, task.id
