"""The JSON that each command prints, as typed models, from which the documentation is made."""
