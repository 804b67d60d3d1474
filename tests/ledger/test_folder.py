from suffice.ledger.folder import Folder


def test_the_files_are_below_the_folder_and_a_database_makes_it_exist(tmp_path):
    folder = Folder(tmp_path)
    files = {folder.database, folder.journal, folder.pepper, folder.catalogue}
    assert len(files) == 4 and all(f.parent == tmp_path for f in files)
    assert not folder.exists
    folder.database.touch()
    assert folder.exists
