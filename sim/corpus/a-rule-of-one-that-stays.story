# the third VM of a group of two came into a rack: a third VM's rule counts one that is being failed over (seed 130717)
blixard-sim 1
seed=130717 hosts=5 vms=50 hours=1 faults=host,store,clock,disk,network,qemu,operator
270171 vm-label 4 18 0 15903551713086080871   # 270.1 s: vm-label vm-18, asked at h5
278139 vm-stop 1 3 0 13183183155512653350   # 278.1 s: vm-stop vm-3, asked at h2
278259 vm-create 1 3 0 5978233752186457770   # 278.2 s: vm-create vm-3, asked at h2
278572 node-cordon 1 26 0 15525675731990043933   # 278.5 s: node-cordon (host number 27), asked at h2
279403 vm-label 1 36 0 16033179173192533560   # 279.4 s: vm-label vm-36, asked at h2
279884 vm-restart 1 3 0 15343066261559448054   # 279.8 s: vm-restart vm-3, asked at h2
280063 daemon-pause 2 3 18639 13405568117048937983   # 280.0 s: daemon-pause on h3 for 18.6 s
280579 vm-resize 1 39 0 3256217725766838176   # 280.5 s: vm-resize vm-39, asked at h2
281286 daemon-kill 1 3 8126 1956254788185124844   # 281.2 s: daemon-kill on h2 for 8.1 s
281363 vm-read 1 34 0 12841769049510750431   # 281.3 s: vm-read vm-34, asked at h2
430478 vm-pause 4 15 0 889850384196393300   # 430.4 s: vm-pause vm-15, asked at h5
494662 node-uncordon 3 27 0 4334804275658026888   # 494.6 s: node-uncordon (host number 28), asked at h4
494727 vm-disks 0 31 0 6260848407693037159   # 494.7 s: vm-disks vm-31, asked at h1
505109 vm-read 1 39 0 13230879958459077372   # 505.1 s: vm-read vm-39, asked at h2
505115 daemon-pause 3 31 41477 13053981213291946873   # 505.1 s: daemon-pause on h4 for 41.4 s
505744 vm-start 3 25 0 5316990591702880019   # 505.7 s: vm-start vm-25, asked at h4
506946 vm-dies 3 38 0 8185702781725606499   # 506.9 s: vm-dies on h4
1302007 vm-start 1 44 0 940486735096845261   # 1302.0 s: vm-start vm-44, asked at h2
1303164 daemon-kill 1 33 5799 4172585441459218183   # 1303.1 s: daemon-kill on h2 for 5.7 s
1308342 vm-read 4 35 0 13977761665080587256   # 1308.3 s: vm-read vm-35, asked at h5
1308363 vm-label 1 3 0 18341601029295697374   # 1308.3 s: vm-label vm-3, asked at h2
1311306 vm-create 0 4 0 15478088435533978055   # 1311.3 s: vm-create vm-4, asked at h1
1315770 vm-create 0 46 0 2083954350890895223   # 1315.7 s: vm-create vm-46, asked at h1
1315996 vm-read 0 35 0 6820189342784413525   # 1315.9 s: vm-read vm-35, asked at h1
1340230 project-create 4 31 0 9407680494864843187   # 1340.2 s: project-create, asked at h5
1354809 store-trouble 2 8 1954 6219508447938916537   # 1354.8 s: store-trouble on h3 for 1.9 s
1392551 vm-disks 4 34 0 14555681135517410264   # 1392.5 s: vm-disks vm-34, asked at h5
1392746 vm-delete 4 34 0 17696054885895632245   # 1392.7 s: vm-delete vm-34, asked at h5
1394857 daemon-pause 4 34 16643 15112933792638375409   # 1394.8 s: daemon-pause on h5 for 16.6 s
1394965 image-create 0 28 0 12096921720512166210   # 1394.9 s: image-create, asked at h1
1404237 vm-label 4 2 0 12232347632221213158   # 1404.2 s: vm-label vm-2, asked at h5
1404536 vm-disks 2 22 0 1203470513689650209   # 1404.5 s: vm-disks vm-22, asked at h3
1404942 vm-create 4 22 0 7282813628157152563   # 1404.9 s: vm-create vm-22, asked at h5
1405531 vm-label 3 18 0 11533966325305319917   # 1405.5 s: vm-label vm-18, asked at h4
1405740 vm-delete 4 22 0 16468909552526951753   # 1405.7 s: vm-delete vm-22, asked at h5
1406153 vm-dies 4 43 0 12426604303821767958   # 1406.1 s: vm-dies on h5
1406204 vm-read 4 14 0 18410327189262460428   # 1406.2 s: vm-read vm-14, asked at h5
1406438 vm-read 4 29 0 2635671397773348991   # 1406.4 s: vm-read vm-29, asked at h5
1407047 vm-start 4 22 0 10734476598754124814   # 1407.0 s: vm-start vm-22, asked at h5
1407194 node-cordon 2 22 0 9085984495316076363   # 1407.1 s: node-cordon (host number 23), asked at h3
1407562 vm-create 4 22 0 10741763733392154179   # 1407.5 s: vm-create vm-22, asked at h5
1408335 vm-resize 4 42 0 5267251675716477784   # 1408.3 s: vm-resize vm-42, asked at h5
1408969 vm-resize 4 22 0 5628233164801943659   # 1408.9 s: vm-resize vm-22, asked at h5
1409259 vm-restart 3 22 0 12942862051136986012   # 1409.2 s: vm-restart vm-22, asked at h4
1409603 vm-resize 4 39 0 15111009666670616713   # 1409.6 s: vm-resize vm-39, asked at h5
1419242 watchdog-pause 0 4 292 5481806839910421691   # 1419.2 s: watchdog-pause on h1 for 0.2 s
1430504 vm-read 0 34 0 701647327743563616   # 1430.5 s: vm-read vm-34, asked at h1
1435588 vm-label 2 46 0 2998105964901981403   # 1435.5 s: vm-label vm-46, asked at h3
1436580 vm-start 2 36 0 2525240089975137569   # 1436.5 s: vm-start vm-36, asked at h3
1451981 volume-change 4 29 0 4264843196298780046   # 1451.9 s: volume-change, asked at h5
1453299 image-create 0 34 0 3331572837270595586   # 1453.2 s: image-create, asked at h1
1457601 vm-pause 4 42 0 6012111601539832393   # 1457.6 s: vm-pause vm-42, asked at h5
1473338 vm-delete 4 24 0 17118064793356072407   # 1473.3 s: vm-delete vm-24, asked at h5
1480009 cut 4 28 7367 6143344482981459952   # 1480.0 s: cut on h5 for 7.3 s
1485400 vm-label 2 24 0 6404389390980555241   # 1485.4 s: vm-label vm-24, asked at h3
1491731 node-uncordon 3 38 0 8862354959854199750   # 1491.7 s: node-uncordon (host number 39), asked at h4
1503912 vm-read 0 19 0 13168504760296060913   # 1503.9 s: vm-read vm-19, asked at h1
1504750 vm-disks 2 47 0 15046307070283232146   # 1504.7 s: vm-disks vm-47, asked at h3
1514047 store-trouble 3 6 9179 10297258271737823418   # 1514.0 s: store-trouble on h4 for 9.1 s
1516067 node-remove 1 23 106114 6016571054830357166   # 1516.0 s: node-remove on h2 for 106.1 s
1526186 vm-delete 2 19 0 15372659521521779174   # 1526.1 s: vm-delete vm-19, asked at h3
1531530 vm-resize 2 21 0 6891762092898482563   # 1531.5 s: vm-resize vm-21, asked at h3
1536033 vm-label 4 42 0 4790050794141888053   # 1536.0 s: vm-label vm-42, asked at h5
1537152 vm-disks 3 41 0 14930359925035588130   # 1537.1 s: vm-disks vm-41, asked at h4
1537153 vm-start 4 41 0 4434198394671709782   # 1537.1 s: vm-start vm-41, asked at h5
1537921 vm-label-if 4 41 0 11767049844183400325   # 1537.9 s: vm-label-if vm-41, asked at h5
1538234 cut-replies 4 41 6159 13615590967625930460   # 1538.2 s: cut-replies on h5 for 6.1 s
1538872 vm-read 4 41 0 4548288535237366287   # 1538.8 s: vm-read vm-41, asked at h5
1539212 slow-link 4 41 10491 2138753385708152832   # 1539.2 s: slow-link on h5 for 10.4 s
1539739 vm-pause 4 41 0 13219626757226419715   # 1539.7 s: vm-pause vm-41, asked at h5
1540391 volume-create 4 38 0 16118003756965843681   # 1540.3 s: volume-create, asked at h5
1540869 vm-start 4 43 0 36518127854037237   # 1540.8 s: vm-start vm-43, asked at h5
1541415 upgrade 4 41 15644 6184075416633888515   # 1541.4 s: upgrade on h5 for 15.6 s
1542405 vm-read 4 41 0 12207936498906802771   # 1542.4 s: vm-read vm-41, asked at h5
1543935 vm-create 4 23 0 17519329155361955336   # 1543.9 s: vm-create vm-23, asked at h5
1548027 volume-delete 4 48 0 14656076769553094953   # 1548.0 s: volume-delete, asked at h5
1549705 image-create 0 25 0 9319239212531808488   # 1549.7 s: image-create, asked at h1
1551803 slow-link 4 2 14888 12673379529562880755   # 1551.8 s: slow-link on h5 for 14.8 s
1555556 vm-delete 2 16 0 13816243109142967334   # 1555.5 s: vm-delete vm-16, asked at h3
1563247 client-trouble 2 7 79011 11818383553031388323   # 1563.2 s: client-trouble on h3 for 79.0 s
1563569 vm-read 2 3 0 5478869310189481956   # 1563.5 s: vm-read vm-3, asked at h3
1563638 vm-resume 2 3 0 14278300646356016149   # 1563.6 s: vm-resume vm-3, asked at h3
1563768 vm-label 2 3 0 3875163659194780331   # 1563.7 s: vm-label vm-3, asked at h3
1564007 vm-pause 0 3 0 9091110225002862498   # 1564.0 s: vm-pause vm-3, asked at h1
1566342 vm-label-if 2 7 0 12481716587603193857   # 1566.3 s: vm-label-if vm-7, asked at h3
1566460 vm-start 2 3 0 16787037913780543179   # 1566.4 s: vm-start vm-3, asked at h3
1567341 compact 2 15 2530 1709396409848155987   # 1567.3 s: compact on h3 for 2.5 s
1567974 project-create 2 3 0 3113423463060253244   # 1567.9 s: project-create, asked at h3
1571982 vm-start 4 5 0 15049501886705808769   # 1571.9 s: vm-start vm-5, asked at h5
1577955 daemon-kill 2 45 206 16112411206402997346   # 1577.9 s: daemon-kill on h3 for 0.2 s
1581978 vm-create 0 7 0 14616562336054423321   # 1581.9 s: vm-create vm-7, asked at h1
1582918 vm-stop 1 39 0 17329814572813320776   # 1582.9 s: vm-stop vm-39, asked at h2
1592330 vm-stop 4 30 0 9168559677572575180   # 1592.3 s: vm-stop vm-30, asked at h5
1605283 vm-create 3 8 0 15102423047534998372   # 1605.2 s: vm-create vm-8, asked at h4
1618074 vm-start 0 4 0 2794596973200063314   # 1618.0 s: vm-start vm-4, asked at h1
1620308 vm-read 4 19 0 15350976246421314381   # 1620.3 s: vm-read vm-19, asked at h5
1623416 vm-disks 0 35 0 6436313016266345494   # 1623.4 s: vm-disks vm-35, asked at h1
1629055 quota-change 4 39 0 8892160390248249406   # 1629.0 s: quota-change, asked at h5
1636029 vm-read 4 19 0 8057989868110331156   # 1636.0 s: vm-read vm-19, asked at h5
1638024 vm-start 3 49 0 16438074990778367306   # 1638.0 s: vm-start vm-49, asked at h4
1659526 upgrade 4 26 348 18241001544250249087   # 1659.5 s: upgrade on h5 for 0.3 s
1666769 vm-label 3 18 0 4070301874138645531   # 1666.7 s: vm-label vm-18, asked at h4
1668081 vm-create 1 0 0 11250119136501756547   # 1668.0 s: vm-create vm-0, asked at h2
1677381 vm-disks 4 38 0 12182527037639945967   # 1677.3 s: vm-disks vm-38, asked at h5
1682445 vm-label 3 21 0 8311475189463890725   # 1682.4 s: vm-label vm-21, asked at h4
1686896 vm-read 2 29 0 16689639163448163360   # 1686.8 s: vm-read vm-29, asked at h3
1693163 vm-start 1 44 0 10910924194865177043   # 1693.1 s: vm-start vm-44, asked at h2
1706762 cut 3 42 9904 3630521077850877131   # 1706.7 s: cut on h4 for 9.9 s
1723194 daemon-kill 4 44 6538 17848250899500687244   # 1723.1 s: daemon-kill on h5 for 6.5 s
1723867 vm-create 4 46 0 6198096820307404728   # 1723.8 s: vm-create vm-46, asked at h5
1724118 vm-start 4 44 0 12141209836340711892   # 1724.1 s: vm-start vm-44, asked at h5
1724623 vm-start 3 44 0 11941839163772587203   # 1724.6 s: vm-start vm-44, asked at h4
1725086 vm-resize 2 44 0 4052807660754463128   # 1725.0 s: vm-resize vm-44, asked at h3
1726294 vm-delete 4 44 0 6971185101782861474   # 1726.2 s: vm-delete vm-44, asked at h5
1726354 volume-delete 4 44 0 15728894670253894552   # 1726.3 s: volume-delete, asked at h5
1726451 daemon-pause 4 20 42071 2536920120551741595   # 1726.4 s: daemon-pause on h5 for 42.0 s
1726800 vm-create 4 12 0 17895905029246972755   # 1726.8 s: vm-create vm-12, asked at h5
1726977 image-delete 0 3 0 17099439615455104744   # 1726.9 s: image-delete, asked at h1
1727164 vm-start 4 2 0 13624686065137264707   # 1727.1 s: vm-start vm-2, asked at h5
1736280 vm-pause 4 23 0 11266982907557463938   # 1736.2 s: vm-pause vm-23, asked at h5
1739137 vm-resume 3 20 0 10671421221840927106   # 1739.1 s: vm-resume vm-20, asked at h4
1746709 vm-stop 4 49 0 14297488177237894738   # 1746.7 s: vm-stop vm-49, asked at h5
1758143 vm-start 2 37 0 5027008456946622489   # 1758.1 s: vm-start vm-37, asked at h3
1769481 vm-restart 0 48 0 16709008523866895115   # 1769.4 s: vm-restart vm-48, asked at h1
1773947 vm-delete 3 46 0 8672376454742065307   # 1773.9 s: vm-delete vm-46, asked at h4
1773998 vm-restart 2 20 0 7413214973882556613   # 1773.9 s: vm-restart vm-20, asked at h3
1774017 vm-create 2 20 0 17852962374696417906   # 1774.0 s: vm-create vm-20, asked at h3
1774401 vm-resize 2 20 0 5153790584308321898   # 1774.4 s: vm-resize vm-20, asked at h3
1774507 node-uncordon 2 20 0 1692622559508852039   # 1774.5 s: node-uncordon (host number 21), asked at h3
1774731 vm-stop 2 5 0 2310050626997661843   # 1774.7 s: vm-stop vm-5, asked at h3
1777589 vm-label 2 18 0 4724336852038454839   # 1777.5 s: vm-label vm-18, asked at h3
1778276 vm-dies 2 20 0 15788698048309479916   # 1778.2 s: vm-dies on h3
1779094 vm-read 3 20 0 10640485326892670194   # 1779.0 s: vm-read vm-20, asked at h4
1779330 vm-powers-off 4 20 0 2138219315632063385   # 1779.3 s: vm-powers-off on h5
1779410 vm-delete 2 20 0 117560321067613722   # 1779.4 s: vm-delete vm-20, asked at h3
1780126 vm-start 1 20 0 16593353569919380446   # 1780.1 s: vm-start vm-20, asked at h2
1800062 node-uncordon 3 15 0 11826828743915264514   # 1800.0 s: node-uncordon (host number 16), asked at h4
1800556 vm-stop 3 18 0 13213131763163736909   # 1800.5 s: vm-stop vm-18, asked at h4
1808983 vm-restart 2 35 0 1474829293090119228   # 1808.9 s: vm-restart vm-35, asked at h3
1815694 vm-start 0 40 0 16518645296173089054   # 1815.6 s: vm-start vm-40, asked at h1
1821237 vm-hangs 4 44 34090 1087010346105917543   # 1821.2 s: vm-hangs on h5 for 34.0 s
1824889 vm-create 4 28 0 1467580533782218488   # 1824.8 s: vm-create vm-28, asked at h5
1827663 vm-resize 1 34 0 14972129638400681102   # 1827.6 s: vm-resize vm-34, asked at h2
1828270 rebalance 3 34 0 15285042346931610591   # 1828.2 s: rebalance, asked at h4
1828562 vm-label 1 34 0 11841849395705830048   # 1828.5 s: vm-label vm-34, asked at h2
1828990 vm-read 3 34 0 9696596274358658650   # 1828.9 s: vm-read vm-34, asked at h4
1829338 vm-stop 3 34 0 9388206635836017270   # 1829.3 s: vm-stop vm-34, asked at h4
1830192 vm-stop 3 34 0 6153680322622644389   # 1830.1 s: vm-stop vm-34, asked at h4
1830526 vm-resume 3 34 0 7945919959564291247   # 1830.5 s: vm-resume vm-34, asked at h4
1830536 vm-read 2 39 0 10923383113398465834   # 1830.5 s: vm-read vm-39, asked at h3
1830561 vm-label 3 44 0 12360753268926308454   # 1830.5 s: vm-label vm-44, asked at h4
1830565 volume-create 3 34 0 8578623862529499288   # 1830.5 s: volume-create, asked at h4
1830614 vm-start 2 4 0 14598057769403950862   # 1830.6 s: vm-start vm-4, asked at h3
1831342 node-cordon 2 8 0 5380230851620500349   # 1831.3 s: node-cordon (host number 9), asked at h3
1831474 client-trouble 3 34 11550 12092309431377977822   # 1831.4 s: client-trouble on h4 for 11.5 s
1831913 vm-delete 2 45 0 1401151652248792523   # 1831.9 s: vm-delete vm-45, asked at h3
1832038 vm-label-if 2 8 0 10125310404519799582   # 1832.0 s: vm-label-if vm-8, asked at h3
1832579 vm-pause 0 8 0 5583900609250689873   # 1832.5 s: vm-pause vm-8, asked at h1
1832776 vm-stop 2 8 0 14222813165406024080   # 1832.7 s: vm-stop vm-8, asked at h3
1834201 vm-label 2 8 0 8511492214800242256   # 1834.2 s: vm-label vm-8, asked at h3
1834549 disk-full 0 8 21690 13474061759338953153   # 1834.5 s: disk-full on h1 for 21.6 s
1834674 vm-pause 3 8 0 15676529771860675943   # 1834.6 s: vm-pause vm-8, asked at h4
1835581 vm-stop 2 8 0 9562129315743494143   # 1835.5 s: vm-stop vm-8, asked at h3
1835695 vm-read 2 8 0 17766043005788816317   # 1835.6 s: vm-read vm-8, asked at h3
1844496 vm-start 2 45 0 16962143463940949650   # 1844.4 s: vm-start vm-45, asked at h3
1848304 vm-dies 3 32 0 17274995882907427499   # 1848.3 s: vm-dies on h4
1855807 vm-label-if 1 3 0 99040394869969355   # 1855.8 s: vm-label-if vm-3, asked at h2
1858634 slow-link 1 34 5091 14468208242375245618   # 1858.6 s: slow-link on h2 for 5.0 s
1859806 vm-label-if 4 7 0 8784512587519863307   # 1859.8 s: vm-label-if vm-7, asked at h5
1867993 vm-start 3 49 0 4697321600036768940   # 1867.9 s: vm-start vm-49, asked at h4
1882916 image-create 0 40 0 17114952783259368060   # 1882.9 s: image-create, asked at h1
1887803 vm-read 2 46 0 17796597637779046642   # 1887.8 s: vm-read vm-46, asked at h3
1891032 vm-stop 1 27 0 18012574368375063804   # 1891.0 s: vm-stop vm-27, asked at h2
1898408 vm-resize 1 3 0 4257758009300348480   # 1898.4 s: vm-resize vm-3, asked at h2
1911933 host-crash 4 25 8040 10254408821989596999   # 1911.9 s: host-crash on h5 for 8.0 s
1912949 vm-start 0 42 0 12324388235057621290   # 1912.9 s: vm-start vm-42, asked at h1
1919213 vm-label-if 2 34 0 2805839614488797755   # 1919.2 s: vm-label-if vm-34, asked at h3
1919654 daemon-pause 2 4 19857 13328002801763347778   # 1919.6 s: daemon-pause on h3 for 19.8 s
1924913 daemon-kill 2 44 2043 14969079987214604117   # 1924.9 s: daemon-kill on h3 for 2.0 s
1925330 disk-full 1 22 4853 12586536939960875902   # 1925.3 s: disk-full on h2 for 4.8 s
1925564 vm-create 4 48 0 7178023622142493562   # 1925.5 s: vm-create vm-48, asked at h5
1973389 vm-label-if 4 12 0 13492181478051153049   # 1973.3 s: vm-label-if vm-12, asked at h5
1973529 vm-create 3 15 0 6837496281827972084   # 1973.5 s: vm-create vm-15, asked at h4
2006384 vm-restart 0 22 0 16014726070281560504   # 2006.3 s: vm-restart vm-22, asked at h1
2009666 vm-label-if 1 49 0 12395685065354566015   # 2009.6 s: vm-label-if vm-49, asked at h2
2010663 cut-requests 4 19 9602 8551780747825491712   # 2010.6 s: cut-requests on h5 for 9.6 s
2011812 vm-resume 1 34 0 8507951365814536722   # 2011.8 s: vm-resume vm-34, asked at h2
2016281 vm-stop 0 46 0 127583124092636565   # 2016.2 s: vm-stop vm-46, asked at h1
2039193 vm-create 2 26 0 9231863751127168429   # 2039.1 s: vm-create vm-26, asked at h3
2046364 upgrade 2 25 4016 16580125524666728368   # 2046.3 s: upgrade on h3 for 4.0 s
2048363 project-create 3 22 0 7593310826398224617   # 2048.3 s: project-create, asked at h4
2049690 daemon-pause 0 25 15185 9172791196690807168   # 2049.6 s: daemon-pause on h1 for 15.1 s
2050303 volume-change 0 11 0 8597526943490340973   # 2050.3 s: volume-change, asked at h1
2057006 vm-stop 3 34 0 4040758230174897744   # 2057.0 s: vm-stop vm-34, asked at h4
2059116 client-trouble 2 34 27537 6726475052990936077   # 2059.1 s: client-trouble on h3 for 27.5 s
2059240 vm-label-if 4 40 0 5677654099341741797   # 2059.2 s: vm-label-if vm-40, asked at h5
2059359 vm-start 4 17 0 17057613985051281966   # 2059.3 s: vm-start vm-17, asked at h5
2059402 vm-start 4 19 0 10701041982970273428   # 2059.4 s: vm-start vm-19, asked at h5
2059664 vm-label 4 25 0 13273402680732024792   # 2059.6 s: vm-label vm-25, asked at h5
2060063 vm-hangs 4 1 38633 3740836096671670783   # 2060.0 s: vm-hangs on h5 for 38.6 s
2060157 vm-create 4 34 0 14886093699398287210   # 2060.1 s: vm-create vm-34, asked at h5
2060713 vm-label 4 0 0 9558309839461053611   # 2060.7 s: vm-label vm-0, asked at h5
2061629 vm-dies 4 34 0 12801186789279465278   # 2061.6 s: vm-dies on h5
2062367 vm-resume 0 26 0 5135264785247259710   # 2062.3 s: vm-resume vm-26, asked at h1
2064473 image-create 4 30 0 13779464144791941568   # 2064.4 s: image-create, asked at h5
2065315 doubled 0 34 13791 7114015586600371166   # 2065.3 s: doubled on h1 for 13.7 s
2065452 vm-start 4 34 0 10858169295593088270   # 2065.4 s: vm-start vm-34, asked at h5
2065857 vm-read 4 34 0 6262166349860123402   # 2065.8 s: vm-read vm-34, asked at h5
2074865 vm-stop 3 4 0 13255603454821868757   # 2074.8 s: vm-stop vm-4, asked at h4
2078083 vm-read 3 48 0 1626312200629589200   # 2078.0 s: vm-read vm-48, asked at h4
2113757 vm-label-if 4 8 0 11001978427100320284   # 2113.7 s: vm-label-if vm-8, asked at h5
2121454 volume-create 0 31 0 17053338704643464019   # 2121.4 s: volume-create, asked at h1
2127024 vm-label 0 24 0 10372086895004062275   # 2127.0 s: vm-label vm-24, asked at h1
2136239 store-trouble 1 38 1550 6668428883776820380   # 2136.2 s: store-trouble on h2 for 1.5 s
2146456 vm-resume 1 21 0 11151726858219479383   # 2146.4 s: vm-resume vm-21, asked at h2
2151760 vm-read 4 44 0 8354904301461952070   # 2151.7 s: vm-read vm-44, asked at h5
2175821 vm-label-if 1 16 0 14423209216095761277   # 2175.8 s: vm-label-if vm-16, asked at h2
2226072 vm-create 4 0 0 4611441351970513281   # 2226.0 s: vm-create vm-0, asked at h5
2238618 vm-read 1 18 0 10112986147762699479   # 2238.6 s: vm-read vm-18, asked at h2
2243107 vm-powers-off 2 45 0 5855146818019135941   # 2243.1 s: vm-powers-off on h3
2244922 vm-label 3 42 0 8686063633036196021   # 2244.9 s: vm-label vm-42, asked at h4
2253412 vm-label-if 3 38 0 12868934164045056707   # 2253.4 s: vm-label-if vm-38, asked at h4
2261329 vm-read 3 1 0 11297435217261144984   # 2261.3 s: vm-read vm-1, asked at h4
2272047 volume-delete 3 14 0 12670252065862157980   # 2272.0 s: volume-delete, asked at h4
2272746 vm-resume 2 27 0 16142493754837997318   # 2272.7 s: vm-resume vm-27, asked at h3
2298057 vm-stop 2 0 0 618887882617015966   # 2298.0 s: vm-stop vm-0, asked at h3
2302099 vm-disks 4 38 0 9361311890210027235   # 2302.0 s: vm-disks vm-38, asked at h5
2334218 slow-watch 2 35 15302 15064521378414450172   # 2334.2 s: slow-watch on h3 for 15.3 s
2335360 vm-create 0 49 0 16812141636630609499   # 2335.3 s: vm-create vm-49, asked at h1
2342514 vm-hangs 0 44 21751 11714703250549137439   # 2342.5 s: vm-hangs on h1 for 21.7 s
2347848 cut-replies 0 6 2156 4717772537486872631   # 2347.8 s: cut-replies on h1 for 2.1 s
2351812 vm-read 4 19 0 16052319424110068047   # 2351.8 s: vm-read vm-19, asked at h5
2352065 vm-read 4 10 0 1302863843589840859   # 2352.0 s: vm-read vm-10, asked at h5
2356225 upgrade 2 49 1103 17149619022806211   # 2356.2 s: upgrade on h3 for 1.1 s
2359309 vm-create 0 25 0 7034522024191977543   # 2359.3 s: vm-create vm-25, asked at h1
2376471 vm-label-if 3 39 0 7345699348802469607   # 2376.4 s: vm-label-if vm-39, asked at h4
2384011 vm-label 3 39 0 8151991448296450166   # 2384.0 s: vm-label vm-39, asked at h4
2384244 store-trouble 3 15 10215 9611591234500941237   # 2384.2 s: store-trouble on h4 for 10.2 s
2384370 vm-restart 1 39 0 3701213766247399317   # 2384.3 s: vm-restart vm-39, asked at h2
2385548 vm-label 3 39 0 7944379082626282348   # 2385.5 s: vm-label vm-39, asked at h4
2385707 vm-powers-off 1 47 0 10766664336812114513   # 2385.7 s: vm-powers-off on h2
2386393 vm-resume 3 47 0 16515012701899443872   # 2386.3 s: vm-resume vm-47, asked at h4
2387175 lease-lost 3 39 0 17443956763929439119   # 2387.1 s: lease-lost on h4
2387739 vm-start 3 39 0 15489274561782368286   # 2387.7 s: vm-start vm-39, asked at h4
2389251 vm-powers-off 3 39 0 8825681693578850426   # 2389.2 s: vm-powers-off on h4
2394762 node-drain 0 0 0 949197389705841887   # 2394.7 s: node-drain (host number 1), asked at h1
2398827 vm-pause 2 43 0 1882390634420277813   # 2398.8 s: vm-pause vm-43, asked at h3
2402098 vm-delete 4 10 0 9946310997375862342   # 2402.0 s: vm-delete vm-10, asked at h5
2422127 vm-disks 0 16 0 15388355237923451314   # 2422.1 s: vm-disks vm-16, asked at h1
2423810 vm-delete 0 13 0 2786727718884976268   # 2423.8 s: vm-delete vm-13, asked at h1
2448081 daemon-kill 0 5 519 5607154877852574866   # 2448.0 s: daemon-kill on h1 for 0.5 s
2474407 vm-create 3 35 0 9147709595465257434   # 2474.4 s: vm-create vm-35, asked at h4
2475216 vm-create 1 35 0 7988577385769642077   # 2475.2 s: vm-create vm-35, asked at h2
2475901 vm-dies 4 7 0 11051976300850478719   # 2475.9 s: vm-dies on h5
2476349 vm-label-if 4 9 0 1848086163720009201   # 2476.3 s: vm-label-if vm-9, asked at h5
2476694 daemon-pause 4 35 3151 1659691324507805875   # 2476.6 s: daemon-pause on h5 for 3.1 s
2478047 vm-delete 4 35 0 13997351086549164987   # 2478.0 s: vm-delete vm-35, asked at h5
2478062 vm-hangs 4 35 25087 13257640349752674047   # 2478.0 s: vm-hangs on h5 for 25.0 s
2478194 vm-read 4 0 0 79705392431244641   # 2478.1 s: vm-read vm-0, asked at h5
2478825 cut-replies 4 35 16831 8620452313148392940   # 2478.8 s: cut-replies on h5 for 16.8 s
2479122 vm-create 4 35 0 9301833757204849415   # 2479.1 s: vm-create vm-35, asked at h5
2493340 vm-resume 3 22 0 17248588316766056720   # 2493.3 s: vm-resume vm-22, asked at h4
2502507 node-uncordon 1 27 0 1858240769183531474   # 2502.5 s: node-uncordon (host number 28), asked at h2
2506396 lease-lost 3 48 0 4899387736889439897   # 2506.3 s: lease-lost on h4
2507680 vm-stop 2 31 0 11847729636021515401   # 2507.6 s: vm-stop vm-31, asked at h3
2514712 vm-start 1 9 0 9861770592335588111   # 2514.7 s: vm-start vm-9, asked at h2
2516219 doubled 3 21 5046 9865933265980724253   # 2516.2 s: doubled on h4 for 5.0 s
2523619 client-trouble 0 23 22920 17478268057435307320   # 2523.6 s: client-trouble on h1 for 22.9 s
2525161 volume-delete 2 3 0 12187467972713065450   # 2525.1 s: volume-delete, asked at h3
2526333 vm-delete 3 33 0 11783055771204160357   # 2526.3 s: vm-delete vm-33, asked at h4
2528940 vm-delete 4 6 0 8424621322342440472   # 2528.9 s: vm-delete vm-6, asked at h5
2541794 doubled 1 4 25448 11467099062917990975   # 2541.7 s: doubled on h2 for 25.4 s
2552312 vm-start 2 22 0 14623877433287457425   # 2552.3 s: vm-start vm-22, asked at h3
2552421 vm-stop 1 33 0 9933851157677676866   # 2552.4 s: vm-stop vm-33, asked at h2
2554025 cut-replies 1 41 5999 10403576632532491578   # 2554.0 s: cut-replies on h2 for 5.9 s
2554353 vm-read 3 40 0 11448731838884003001   # 2554.3 s: vm-read vm-40, asked at h4
2554433 node-uncordon 1 48 0 16607412130421730747   # 2554.4 s: node-uncordon (host number 49), asked at h2
2554776 slow-watch 4 48 23660 14642694955993344317   # 2554.7 s: slow-watch on h5 for 23.6 s
2554886 vm-stop 3 16 0 990080166546281509   # 2554.8 s: vm-stop vm-16, asked at h4
2555133 vm-resize 3 44 0 2324242804868848465   # 2555.1 s: vm-resize vm-44, asked at h4
2556158 vm-create 1 48 0 7818402943633150890   # 2556.1 s: vm-create vm-48, asked at h2
2557826 vm-label 1 48 0 11356695572612255671   # 2557.8 s: vm-label vm-48, asked at h2
2557951 vm-create 1 48 0 12704398180010520655   # 2557.9 s: vm-create vm-48, asked at h2
2558225 vm-dies 1 31 0 7326000707235085113   # 2558.2 s: vm-dies on h2
2558404 vm-hangs 1 26 10941 4453295270877073617   # 2558.4 s: vm-hangs on h2 for 10.9 s
2558539 vm-start 1 48 0 6027182625129678392   # 2558.5 s: vm-start vm-48, asked at h2
2558987 vm-label-if 1 45 0 9897199497646123947   # 2558.9 s: vm-label-if vm-45, asked at h2
2559064 volume-change 0 48 0 1227000835235262103   # 2559.0 s: volume-change, asked at h1
2559191 vm-label-if 2 31 0 17580300365901686420   # 2559.1 s: vm-label-if vm-31, asked at h3
2565988 daemon-pause 0 35 5224 13792050486568958793   # 2565.9 s: daemon-pause on h1 for 5.2 s
