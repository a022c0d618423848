"""What every room may use: errors, files, text. Knows nothing of networks, chips or tests.

Errors     TasnetError is the base of all own errors; `error_line` makes one line of any.
Reading    `read_bytes`, `read_text`, `open_regular`, `open_wav`, `yaml_file`, `settings_table`: a regular file of a
           bounded size, or the caller's error in one line. `stored_bytes` reads a file of the store.
Writing    `write_whole` and `unfinished`: a file appears whole or not at all. `sealed` adds a key and a checksum.
Locks      `locked`: one process at a time, and a message to whoever waits long.
Text       `printable`: foreign text as one line of bounded length; `print_line`, `table_lines`, `labelled_line`.
Others     `git`, `render_page` for HTML, `sha256`, `utc_today`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
