"""Generates multi-view driving data: scenarios in, labelled surround-camera clips out."""
