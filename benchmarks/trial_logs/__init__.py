"""Decision logs with known failures, made from public tables; see ../README.md."""
