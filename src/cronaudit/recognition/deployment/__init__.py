"""Which processes run, from which files and within which limits, as the manifests of the tree say."""

from cronaudit.recognition.deployment.files import Enclosing, Manifests
from cronaudit.recognition.deployment.read import read_deployment

__all__ = ["Enclosing", "Manifests", "read_deployment"]
