"""Archives larger than a database likes: read, counted and judged partition by partition, in one process or on Dask.

`inputs` cuts archives into parts, `work` holds what is done to one part, `engines` runs it here or on a cluster,
`tables` writes and publishes Parquet, `load` copies the tables into SQLite, `duck` asks them with the same views.
"""
