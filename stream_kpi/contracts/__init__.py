"""The wire contract as documents: JSON Schemas and AsyncAPI, generated from the types, and an example of every event.

``python -m stream_kpi.contracts`` writes ``schemas/*.schema.json`` and ``asyncapi.json`` into this folder;
``--check`` only compares. The examples are written by hand.
"""
