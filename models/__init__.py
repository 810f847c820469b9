"""Turns arrays into arrays: the multi-view video generator. Imports nothing of ours."""
