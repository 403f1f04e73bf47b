"""What can be done with a case, one function a verb, one transaction each."""
