<#
.SYNOPSIS
Removes the driver from the machine.

.DESCRIPTION
Removes the devices and the package. With -All it also takes back what prepare.ps1 and verifier.ps1 have
changed: the verifier, the certificate of the package and test signing. What is not there is passed over.

Returns 0 if nothing is left, 3010 if Windows has to be started again, and 1 if something failed.

.PARAMETER All
Take back the preparation of the machine as well.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.EXAMPLE
.\remove.ps1

.EXAMPLE
.\remove.ps1 -All
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [switch] $All,
    [string] $Package
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

try {
    $restart = $false

    Write-Step 'the devices'
    $driver = Get-Package -Folder $Package
    foreach ($device in @(Get-Device -Driver $driver)) {
        Invoke-Tool -Path 'pnputil.exe' -Arguments '/remove-device', $device.InstanceId -Accept 0, $RestartNeeded | Out-Null
        $restart = ($LASTEXITCODE -eq $RestartNeeded) -or $restart
    }

    Write-Step 'the package'
    foreach ($name in @(Get-PublishedName -Driver $driver)) {
        Invoke-Tool -Path 'pnputil.exe' -Arguments '/delete-driver', $name, '/uninstall', '/force' -Accept 0, $RestartNeeded | Out-Null
        $restart = ($LASTEXITCODE -eq $RestartNeeded) -or $restart
    }
    if (-not $restart) {
        Wait-Until { -not (Test-DriverLoaded -Driver $driver) } 'the driver is unloaded'
    }

    if ($All) {
        Write-Step 'the verifier'
        Invoke-Tool -Path 'verifier.exe' -Arguments '/reset' -Accept 0, 2 | Out-Null
        $restart = ($LASTEXITCODE -eq 2) -or $restart

        Write-Step 'the certificate'
        $file = Get-OneFile -Folder $driver.Folder -Kind 'cer'
        $certificate = New-Object -TypeName 'System.Security.Cryptography.X509Certificates.X509Certificate2' -ArgumentList $file
        foreach ($store in 'Root', 'TrustedPublisher') {
            Get-ChildItem -Path "Cert:\LocalMachine\$store" |
                Where-Object { $_.Thumbprint -eq $certificate.Thumbprint } |
                Remove-Item
        }

        Write-Step 'test signing'
        Invoke-Tool -Path 'bcdedit.exe' -Arguments '/set', 'testsigning', 'off' | Out-Null
        $restart = (Test-TestSigning) -or $restart
    }

    if ($restart) {
        Write-Step 'start Windows again'
        exit $RestartNeeded
    }
    Write-Step 'removed'
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
