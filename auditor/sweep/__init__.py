"""Every plan of an organisation: find them, audit each as `auditor check` would, keep the rows, answer from them.

`sources` finds and reads, `worker` turns one plan into rows, an engine (`pool`, `cluster`) runs the worker, `store` keeps the
rows as Parquet, `answers` asks them. pyarrow, duckdb, fsspec and dask come with the extra `sweep`, and are imported where used.
"""
