"""HTTP as PVE's server speaks it: the frame of requests and answers, bytes on a stream, a certificate."""
