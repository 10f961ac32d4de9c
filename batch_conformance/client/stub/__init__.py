"""The stub server: answers scripted to the byte, requests recorded to the byte."""
