"""A company and its customers, simulated: who they are, how they behave, how its desks answer."""
