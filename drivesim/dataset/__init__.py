"""Data sets on disk: what is to be seen in a clip, exactly, and folders of clips that are whole or absent."""
