"""What is said: records in and out, the policy document, the codec."""
