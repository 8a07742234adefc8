"""What our code looks like beside the code of projects that we learn from."""
