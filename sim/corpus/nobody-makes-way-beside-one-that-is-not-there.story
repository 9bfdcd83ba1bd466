# others were told to make way beside one that must be near, and had no place there yet itself (seed 38, crowded: nothing else need happen)
blixard-sim 1
seed=38 hosts=5 vms=50 hours=0.016666666666666666 faults=host,store,clock,disk,network,qemu,operator world=2
